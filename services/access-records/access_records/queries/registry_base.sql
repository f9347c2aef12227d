-- What the rows of one epoch of the registry have as their base, NULL when there are none, and the highest version of all: where an epoch begins that is new.
SELECT maxOrNullIf(toInt64(version) - toInt64(registry_revision), registry_epoch = {epoch:String}), toInt64(max(version))
FROM
(
    SELECT version, registry_revision, registry_epoch FROM store.lots
    UNION ALL
    SELECT version, registry_revision, registry_epoch FROM store.operators
    UNION ALL
    SELECT version, registry_revision, registry_epoch FROM store.gates
)
