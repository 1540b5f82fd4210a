-- The journal, what is derived from it, and the directory. Times are whole microseconds since 1970, UTC.
-- Columns named record, body, document, places and the like hold JSON as written by callhub/store/codec.py.

CREATE TABLE meta (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch TEXT NOT NULL            -- the journal's own name, made with the database
) STRICT;

-- Where each shard stands: one row on one machine (shard 0). fence: the epoch its writer must name.
CREATE TABLE head (
    shard INTEGER PRIMARY KEY,
    fence INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    chain BLOB NOT NULL,
    outbox_seq INTEGER NOT NULL
) STRICT;

-- One row for each incident and decision. An ordinary rowid table without triggers: appending is the hot path.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    incident TEXT,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    private BLOB,                  -- NULL: there is none, or it was erased
    private_digest BLOB,           -- stays after an erasure, so that the chain still verifies
    chain BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_incident ON journal (incident, version) WHERE incident IS NOT NULL;

-- The document of each incident after its last row. area: "/D/S/C/G/", "/" without one. ended_at: NULL while open.
CREATE TABLE incident (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    class TEXT NOT NULL,
    elder TEXT,
    area TEXT NOT NULL,
    ended_at INTEGER,
    digest BLOB NOT NULL,
    document BLOB NOT NULL,
    places BLOB NOT NULL,
    places_digest BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX incident_number ON incident (number);
CREATE INDEX incident_open ON incident (number) WHERE ended_at IS NULL;
CREATE INDEX incident_elder ON incident (elder, number) WHERE elder IS NOT NULL;
CREATE INDEX incident_unanswered ON incident (number) WHERE state = 'unanswered';

-- Which incidents lie in the subtree of an area; area '' holds those without one.
CREATE TABLE incident_area (
    area TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (area, number)
) STRICT, WITHOUT ROWID;

-- Live offers and assignments. The second index is law 4: nobody twice.
CREATE TABLE engagement (
    incident TEXT NOT NULL,
    responder TEXT NOT NULL,
    what TEXT NOT NULL,            -- offer, assignment
    slot INTEGER,                  -- 1..capacity for an assignment in an emergency
    PRIMARY KEY (incident, responder, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX engagement_responder ON engagement (responder);
CREATE UNIQUE INDEX engagement_slot ON engagement (responder, slot) WHERE slot IS NOT NULL;

-- What is to be told. A newer message replaces the older one with the same key.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,            -- of the addressee: gateway, responder
    addressee TEXT NOT NULL,
    key TEXT,
    incident TEXT NOT NULL,
    type TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_addressee ON outbox (kind, addressee, seq);
CREATE UNIQUE INDEX outbox_key ON outbox (kind, addressee, key) WHERE key IS NOT NULL;

-- How far an addressee confirmed. given: the highest seq given out among messages that were removed since.
CREATE TABLE cursor (
    kind TEXT NOT NULL,
    addressee TEXT NOT NULL,
    confirmed INTEGER NOT NULL,
    given INTEGER NOT NULL,
    PRIMARY KEY (kind, addressee)
) STRICT, WITHOUT ROWID;

-- Answers given, for repeats of the same message.
CREATE TABLE answer (
    n INTEGER PRIMARY KEY,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    at INTEGER NOT NULL,
    incident TEXT,
    answer BLOB NOT NULL,
    refused INTEGER NOT NULL
) STRICT;
CREATE INDEX answer_request ON answer (sender, id);

CREATE TABLE area (id TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE elder (id TEXT PRIMARY KEY, phone TEXT NOT NULL, address TEXT NOT NULL, record BLOB NOT NULL) STRICT;
CREATE INDEX elder_phone ON elder (phone) WHERE phone <> '';
CREATE INDEX elder_address ON elder (address) WHERE address <> '';

CREATE TABLE device (
    id TEXT PRIMARY KEY,
    phone TEXT NOT NULL,
    elder TEXT,
    test_until INTEGER,            -- beside the record, which an import replaces
    record BLOB NOT NULL
) STRICT;
CREATE INDEX device_phone ON device (phone) WHERE phone <> '';

CREATE TABLE responder (id TEXT PRIMARY KEY, phone TEXT NOT NULL, record BLOB NOT NULL) STRICT;
CREATE INDEX responder_phone ON responder (phone) WHERE phone <> '';

CREATE TABLE duty (responder TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE position (responder TEXT PRIMARY KEY, position BLOB NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE device_health (device TEXT PRIMARY KEY, health BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE seen (
    kind TEXT NOT NULL,            -- device, gateway, responder
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user (name TEXT PRIMARY KEY, role TEXT NOT NULL, area TEXT, password TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    digest TEXT PRIMARY KEY,       -- SHA-256 of the token, hex
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    role TEXT,
    area TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_owner ON token (kind, id);

-- Every ladder that was ever in force, by id@digest. place: its place among those in force now, else NULL.
CREATE TABLE policy (
    key TEXT PRIMARY KEY,
    place INTEGER,
    ladder BLOB NOT NULL
) STRICT, WITHOUT ROWID;
