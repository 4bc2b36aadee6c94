-- Expand: pods of the release before write no pod, so the column takes none. A later release may contract it to NOT NULL.
ALTER TABLE visits ADD COLUMN pod text;
