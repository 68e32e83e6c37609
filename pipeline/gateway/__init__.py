"""The gateway of a host, as a project of Pulumi."""
