from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name='Opening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=200)),
                ('place', models.CharField(max_length=200)),
                ('is_draft', models.BooleanField(default=True, verbose_name='draft')),
                ('posted', models.DateTimeField(default=timezone.now)),
            ],
            options={
                'ordering': ['-posted'],
                'permissions': [('view_draft', 'Can read drafts of openings')],
            },
        ),
    ]
