"""Review environments: stacks that are made for a review, are told apart by name, and end by themselves."""
