ALTER TABLE conversations ADD COLUMN scene TEXT; -- JSON of what later turns may refer to
