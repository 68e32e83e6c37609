"""The preview report: what an update would change, in words that a reviewer reads, dangers first."""
