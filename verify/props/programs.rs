use heaplab::memory::PageSource;
use heaplab_verify::ops::{Limits, Program};
use heaplab_verify::shadow;
#[test]
fn smoke() {
    let mut seed = 0x1234_5678_9abc_def0u64;
    let mut rnd = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    shadow::announce();
    let n: u64 = std::env::var("N").ok().and_then(|s| s.parse().ok()).unwrap_or(1000);
    let t = std::time::Instant::now();
    let mut sum = [0u64; 5];
    for i in 0..n {
        let len = 2 + 4 * (rnd() % 200) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|_| (rnd() >> 20) as u8).collect();
        bytes[0] = (rnd() >> 33) as u8 % 3;
        for c in bytes[2..].chunks_exact_mut(4) {
            if rnd() & (1 << 20) != 0 {
                c[2] &= 0b111;
            }
        }
        let p = Program::decode(&bytes, &Limits::FUZZ);
        let t = if i % 2 == 0 {
            shadow::run_single(&p, PageSource::Owned)
        } else {
            shadow::run_interleaved(&p, PageSource::Mapped)
        };
        for (s, v) in sum.iter_mut().zip([t.allocated, t.refused, t.unwound, t.compared, t.guaranteed]) {
            *s += v;
        }
    }
    println!("{:?} {sum:?}", t.elapsed() / n as u32);
}
