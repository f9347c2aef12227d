-- A visit is kept for as long as the last of its records, from whose acceptance its time is counted too: one that is made anew later stays no longer for it.
ALTER TABLE store.visits
    ADD COLUMN IF NOT EXISTS made_ms Int64 EPHEMERAL 0
