//! Memory that somebody has used before.

/// How much is touched, in bytes: more than the servers fill while they are measured.
const SIZE: usize = 4 << 30;
/// The smallest size of a page.
const PAGE: usize = 4096;

/// Touches memory, and gives it back to the system. A virtual machine is given each page by its host when it is touched for the first
/// time, which takes longer than most of the requests that are measured, and strikes whoever happens to be measured first. At most
/// half of what is free is touched; nothing where the system does not tell how much that is.
pub fn touch() {
    let mut memory = vec![0_u8; SIZE.min(available().unwrap_or_default() / 2)];
    for page in memory.iter_mut().step_by(PAGE) {
        *page = 1;
    }
    std::hint::black_box(&memory);
}

/// How many bytes are free, as Linux tells.
fn available() -> Option<usize> {
    let told = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<usize>().ok().map(|kib| kib * 1024)
}
