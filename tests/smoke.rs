use heaplab::*;
#[test]
fn smoke() {
    if heaplab::sync::MODEL {
        return;
    }
    for (name, mut config) in
        [("tiny", HeapConfig::tiny()), ("4m", HeapConfig::sized(4 << 20, 8)), ("default", HeapConfig::default())]
    {
        config.verify_heap = true;
        let heap = Heap::new(config).unwrap();
        let mut t = heap.attach().unwrap();
        t.run(|s| {
            let keep = s.new_array(3).unwrap();
            for i in 0..2000 {
                s.nested(|s| {
                    let a = s.new_array(i % 4).unwrap();
                    if i % 5 == 0 {
                        s.store(s.get(keep), i % 3, s.get(a).into());
                    }
                    if i % 5 == 1 {
                        let b = s.new_array_in(2, AllocationType::Old).unwrap();
                        s.store(s.get(b), 0, s.get(a).into());
                        s.store(s.get(keep), i % 3, s.get(b).into());
                    }
                });
            }
            for k in CollectionKind::ALL {
                s.collect(k);
            }
            let v = s.verify();
            println!("{name} {:?} {:?}", v, s.statistics());
            assert!(v.is_sound());
        })
        .unwrap();
    }
}
