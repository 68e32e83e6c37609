"""What brings a machine to the point where ``pulumi up`` works. Nothing that is deployed imports it."""
