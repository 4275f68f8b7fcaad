-- How one object was, without reading the history of all others.
CREATE INDEX changes_object ON changes (grp, resource, namespace, name, revision, position);
