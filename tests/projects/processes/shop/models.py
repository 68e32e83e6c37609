from django.db import models


class Mark(models.Model):
    name = models.CharField(max_length=50)
    made = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
