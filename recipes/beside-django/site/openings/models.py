from django.db import models
from django.utils import timezone


class Opening(models.Model):
    title = models.CharField(max_length=200)
    place = models.CharField(max_length=200)
    is_draft = models.BooleanField('draft', default=True)
    posted = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ['-posted']
        permissions = [('view_draft', 'Can read drafts of openings')]

    def __str__(self):
        return self.title
