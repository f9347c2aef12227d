"""ClickHouse: client, migrations, batch writer and the embedded one-machine server."""
