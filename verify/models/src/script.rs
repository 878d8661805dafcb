//! The second test of the mission, in small: a script's accessor allocates when everything is full, while another
//! thread allocates.
//!
//! Goal: `(new Foo).get` is true; inside the getter's always-allocate scope the first attempt succeeds, although the
//! space was made full and a rival takes what it can get; and what an interpreter holds meanwhile - receiver,
//! accessor, initial map - is whole afterwards. Method: the objects of `verify/objects`, and on them the steps that
//! the interpreter takes for this script, one after the other: an interpreter adds no access to the heap that other
//! threads see, but words for each execution to pay. The script is set up before the rival begins, so the race is the
//! script's run.

use super::always_allocate::{Step, assert_whole, rival, young};
use super::worlds;
use heaplab::sync::thread;
use heaplab::{AllocError, AllocationType, Handle, Heap, Map, Reserve, Scope, SpaceKind, Value};
use heaplab_checker::model::Spec;
use heaplab_checker::models;
use heaplab_common::claim_eq;
use heaplab_objects::function::{self, Code, Info};
use heaplab_objects::map::{self, Details};
use heaplab_objects::property::{self, Place};
use heaplab_objects::string::{self, Maps};
use heaplab_objects::{Js, Obj, accessor, kind, map_of, object};

models! {
    "script":
    getter_after_full_new_vs_young: Spec::bounded(3, 3),
}

/// What `Foo` runs: the empty function, by its number.
const EMPTY: usize = 0;
/// The number of the native getter.
const GETTER: usize = 1;

/// What the script's run looks up: the global object and the names.
struct Realm<'s> {
    global: Obj<'s>,
    class_name: Obj<'s>,
    get: Obj<'s>,
}

/// Binds `Foo` on a global object: a function, its initial map, and the native accessor `get` in that map.
fn bind_foo<'s>(scope: &mut Scope<'s, '_>) -> Result<Realm<'s>, AllocError> {
    // The names have one byte a character, so no string is of the other kinds.
    let names = map::new_plain(scope, kind::ONE_BYTE)?;
    let maps = Maps { one_byte: names, two_byte: names, cons: names };
    let [class_name, get] = ["Foo", "get"].map(|text| text.encode_utf16().collect::<Vec<u16>>());
    let class_name = string::new(scope, maps, &class_name, AllocationType::Old)?;
    let get = string::new(scope, maps, &get, AllocationType::Old)?;
    let null = scope.handle(scope.null());
    let objects = map::new(scope, kind::OBJECT, 1, null, 0)?;
    let global = map::new_object(scope, objects)?;
    let class = new_class(scope, class_name, null)?;

    let prototype = map::new_object(scope, objects)?;
    let initial = map::new(scope, kind::OBJECT, 0, prototype.any(), 0)?;
    scope.store_field(scope.get(class), function::PROTOTYPE_OR_MAP, scope.get(initial).into());
    map::new_object(scope, initial)?;
    let infos = map::new_plain(scope, kind::ACCESSOR_INFO)?;
    let info = accessor::new_info(scope, infos, get, Some(GETTER), None)?;
    let descriptors = map::new_plain(scope, kind::DESCRIPTORS)?;
    map::ensure_slack(scope, descriptors, initial, 1)?;
    let details = Details::new(true, false, true, true);
    map::append(scope, scope.get(initial), scope.get(get), details, Some(scope.get(info).into()));

    let next =
        map::add(scope, descriptors, objects, class_name, Details::PLAIN, None)?.expect("an object in fast mode");
    property::set_field_value(scope, scope.get(global), 0, scope.get(class).into());
    map::set(scope, scope.get(global), scope.get(next));
    Ok(Realm { global, class_name, get })
}

/// An empty function that may be called with `new`.
fn new_class<'s>(scope: &mut Scope<'s, '_>, name: Obj<'s>, prototype: Js<'s>) -> Result<Obj<'s>, AllocError> {
    let shareds = map::new_plain(scope, kind::SHARED)?;
    let info = Info { length: 0, code: Code::Native(EMPTY), flags: function::flag::CONSTRUCTOR };
    let shared = function::new_shared(scope, shareds, name, info, None)?;
    let functions = map::new(scope, kind::FUNCTION, 0, prototype, map::flag::CALLABLE)?;
    function::new(scope, functions, shared, None)
}

/// `new Foo`: looks up the function and makes an object of its initial map.
fn new_foo<'s>(scope: &mut Scope<'s, '_>, realm: &Realm<'s>) -> Result<Obj<'s>, AllocError> {
    let global = scope.get(realm.global);
    let found = property::find_named(scope, global, scope.get(realm.class_name)).expect("Foo is bound");
    let class = function::cast(scope, property::value(scope, global, found.place)).expect("Foo is a function");
    claim_eq!(function::code(scope, class), Code::Native(EMPTY), "the code of Foo");
    claim_eq!(function::flags(scope, class), function::flag::CONSTRUCTOR, "the set of flags of Foo");
    let initial = scope.downcast::<Map>(scope.load_field(class, function::PROTOTYPE_OR_MAP)).expect("an initial map");
    let initial = scope.handle(initial);
    map::new_object(scope, initial)
}

/// `receiver.get`: looks along the prototypes, and calls the getter that it finds.
fn get<'s>(
    scope: &mut Scope<'s, '_>,
    realm: &Realm<'s>,
    receiver: Obj<'s>,
    getter: impl FnOnce(&mut Scope<'s, '_>) -> Handle<'s, Value>,
) -> Js<'s> {
    let name = scope.get(realm.get);
    let mut holder = scope.get(receiver);
    let found = loop {
        match property::find_named(scope, holder, name) {
            Some(found) => break found,
            None => holder = object(scope, map::prototype(scope, map_of(scope, holder))).expect("somebody has it"),
        }
    };
    assert!(found.details.is_accessor(), "the property is an accessor");
    assert_eq!(found.place, Place::Descriptor(0), "the getter is found in the receiver's own map");
    let info = scope.handle(accessor::of_value(scope, property::value(scope, holder, found.place)));
    let initial = scope.handle(map_of(scope, holder));
    let number = accessor::native(scope, scope.get(info), accessor::GETTER);
    claim_eq!(number, Some(GETTER), "the number of the native getter");

    let result = getter(scope);

    // The getter collects, and moves what it can: all of it through these handles.
    let at = scope.get(receiver);
    assert_eq!(map_of(scope, at), scope.get(initial), "the receiver has its map");
    let again = property::find_named(scope, at, scope.get(realm.get)).expect("the accessor is still there");
    assert_eq!(property::value(scope, at, again.place), scope.get(info), "the accessor is the one that was found");
    let its_name = scope.load_field(scope.get(info), accessor::NAME);
    assert_eq!(its_name, scope.get(realm.get), "the accessor has its name");
    result
}

/// Does what the getter does in the scope of the interpreter: as `alloc_after_failures`, with one space. Returns
/// true. May collect.
fn full_then<'s>(scope: &mut Scope<'s, '_>, reserve: Reserve, space: SpaceKind, step: Step) -> Handle<'s, Value> {
    let entered = scope.always_allocate(reserve, |scope| {
        let before = scope.own_requests();
        scope.simulate_full_space(space).unwrap();
        let outcome = step(scope);
        assert!(outcome.is_ok(), "{space:?}: {outcome:?}");
        assert_eq!(scope.own_requests(), before, "a first attempt failed, or a collection was asked for");
    });
    assert!(entered.is_ok(), "the reserve fits after a collection: {entered:?}");
    scope.handle(scope.boolean(true))
}

fn get_vs(reserve: Reserve, space: SpaceKind, step: Step) {
    let heap = Heap::new(worlds::config(3, 14)).expect("a small world");
    // On a thread of its own, which has more stack than the first. It starts the rival when it is set up.
    let script = thread::spawn({
        let heap = heap.clone();
        move || {
            let there = heap.clone();
            let ran = worlds::run(&heap, |scope| {
                let realm = bind_foo(scope)?;
                let rival = thread::spawn(move || rival(&there, &[step]));
                let receiver = new_foo(scope, &realm)?;
                let result = get(scope, &realm, receiver, |scope| full_then(scope, reserve, space, step));
                assert_eq!(scope.get(result), scope.boolean(true), "the getter gives true");
                claim_eq!(scope.own_requests().collections, 0, "the number of collections that the script asked for");
                Ok::<_, AllocError>(rival)
            });
            ran.expect("room for everything").join().unwrap()
        }
    });
    let [(outcome, asked)] = script.join().unwrap()[..] else { unreachable!("one outcome of one step") };
    claim_eq!(outcome, Ok(()), "what the rival was told");
    assert!(asked <= 1, "one collection mends a full space: {asked}");
    assert_whole(&heap, [asked, 0, 0]);
}

/// The rival is served from new space, before it is made full or after a minor collection, which it has to ask for
/// then. The script asks for none.
fn getter_after_full_new_vs_young() {
    get_vs(Reserve { young_pages: 1, ..Reserve::NONE }, SpaceKind::New, young);
}
