"""The history's schema: `migrations` makes the tables, `views` says what each view is now; schema.sql is the sum."""
