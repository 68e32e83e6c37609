"""What a visitor fills in."""

from django import forms

from .models import Entry
from .validators import validate_picture


class EntryForm(forms.ModelForm):
    """A new entry."""

    picture = forms.FileField(
        label="A picture",
        help_text="PNG, JPEG or GIF, up to 5 MB. Not required.",
        required=False,
        validators=[validate_picture],
        widget=forms.FileInput(attrs={"accept": ".png,.jpg,.jpeg,.gif"}),
    )

    class Meta:
        """The fields, as the page shows them."""

        model = Entry
        fields = ["name", "message", "picture"]
        labels = {"name": "Your name", "message": "Your message"}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "message": forms.Textarea(attrs={"rows": 4}),
        }
