//! Suites, graphs and profiles are compiled in; a file that is added or taken away must be seen, not only one that changes.

fn main() {
    for folder in ["suites", "fixtures/content", "fixtures/targets"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
