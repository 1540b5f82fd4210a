-- What was learned of how each responder answers, as of the newest fact about them.

CREATE TABLE habit (responder TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT, WITHOUT ROWID;
