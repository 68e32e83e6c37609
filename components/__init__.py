"""Everything that is deployed: settings, pure functions, and the components of each target."""
