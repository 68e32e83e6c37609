"""Moving the data of a stack: the database and the uploads in one file, from one target to another."""
