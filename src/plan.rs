//! Selection: filters, capabilities and shards decide which cases run, and why the others do not.
