-- The hub on PostgreSQL. Times are Unix milliseconds, documents JSON.

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('revision', 1), ('access', 1), ('compacted', 0);

CREATE TABLE installation (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    hub_uid UUID NOT NULL,
    authority_certificate TEXT NOT NULL,
    authority_key BYTEA NOT NULL,
    signing_key BYTEA NOT NULL,
    key_check BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- `grp` because GROUP is a word of SQL; a namespace of '' is cluster scope.
CREATE TABLE objects (
    grp TEXT NOT NULL,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL,
    generation BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deletion_at BIGINT,
    body BYTEA NOT NULL,
    PRIMARY KEY (grp, resource, namespace, name)
);

CREATE TABLE changes (
    revision BIGINT NOT NULL,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    grp TEXT NOT NULL,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    before_body BYTEA,
    after_body BYTEA,
    PRIMARY KEY (revision, position)
);

CREATE TABLE clusters (
    name TEXT PRIMARY KEY,
    uid TEXT,
    role TEXT NOT NULL,
    alias TEXT NOT NULL,
    description TEXT NOT NULL,
    provider TEXT NOT NULL,
    region TEXT NOT NULL,
    connection TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    ca TEXT NOT NULL,
    tls_server_name TEXT NOT NULL,
    credential BYTEA NOT NULL,
    credential_revision BIGINT NOT NULL,
    credential_expires_at BIGINT,
    admit_admins BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    conditions TEXT NOT NULL,
    probe TEXT NOT NULL
);
CREATE UNIQUE INDEX clusters_uid ON clusters (uid) WHERE uid IS NOT NULL;
CREATE UNIQUE INDEX clusters_host ON clusters (role) WHERE role = 'host';

CREATE TABLE propagations (
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    cluster TEXT NOT NULL,
    uid TEXT,
    applied_hash TEXT,
    managed_hash TEXT,
    status TEXT NOT NULL,
    message TEXT NOT NULL,
    leftover BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (resource, namespace, name, cluster)
);
CREATE INDEX propagations_cluster ON propagations (cluster);

CREATE TABLE users (
    name TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    admin BOOLEAN NOT NULL,
    disabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    key_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_name);

CREATE TABLE tokens (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
