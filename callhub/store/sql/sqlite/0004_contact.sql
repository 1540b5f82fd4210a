-- The people around an elder. Names and telephone numbers are private data: they stand here and in no journal row.

CREATE TABLE contact (id TEXT PRIMARY KEY, elder TEXT NOT NULL, phone TEXT NOT NULL, record BLOB NOT NULL) STRICT;
CREATE INDEX contact_elder ON contact (elder, id);
CREATE INDEX contact_phone ON contact (phone) WHERE phone <> '';
