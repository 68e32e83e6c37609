"""A guestbook: visitors leave a message and a picture."""
