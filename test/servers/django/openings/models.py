from django.db import models


class Opening(models.Model):
    title = models.CharField(max_length=100)

    class Meta:
        permissions = [('publish_opening', 'Can publish opening')]

    def __str__(self):
        return self.title
