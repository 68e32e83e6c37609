"""What our own resource plugins share: the wire format, the errors, and their side of Pulumi's protocol."""
