// console.log of objects within objects: in full, but for those that are not empty and have more than two around them.
"use strict";

class Empty {}
class Holder { constructor(x) { this.x = x; } }
class List extends Array {}

console.log([[[[]]]], [[[{}]]], [[[[1]]]], [[[{ a: 1 }]]], [[[[[]]]]]);
console.log({ a: { b: { c: {} } } }, { a: { b: { c: [] } } }, { a: { b: { c: { d: 1 } } } });
console.log({ a: [{ b: [] }] }, { a: [{ b: [1] }] }, [{ a: [{}] }], [{ a: [{ b: {} }] }]);
console.log([[[[], {}, [[]], { a: {} }]]], [[[[]]], [[[[]]]]]);
console.log({ a: [[[]]], b: [[{}]], c: {} }, [[], [[]]], []);
console.log([[[new Empty()]]], [[[new Holder(1)]]], [[new Holder({})]], [[new Holder({ a: 1 })]]);
console.log(new Holder([[[]]]), new Holder([[[0]]]), { a: { b: { c: new Empty(), d: new List() } } });
const list = new List();
console.log(list, [[[list]]]);
list.push([[[]]]);
console.log(list, [[[list]]]);

// What leaves an object empty, and what does not.
const hidden = {};
Object.defineProperty(hidden, "x", { value: 1 });
const deleted = { a: 1 };
delete deleted.a;
const named = [];
named.x = 1;
console.log([[[hidden, deleted, Object.freeze([]), Object.freeze({}), [1, 2].slice(2)]]]);
console.log([[[named, [,], [undefined]]]], [[[function f() {}, Empty, () => 1]]]);
const without = [];
without.x = without.y = 1;
delete without.x;
delete without.y;
console.log(without, [[[without]]]);

// The same object twice, and one that contains itself farther down than is shown.
const twice = {};
console.log([[[twice, twice]]], [twice, { twice }]);
const around = {};
around.b = { c: { d: { around } } };
console.log(around);

// Classes: the nearest constructor whose instance the object is.
class Derived extends Holder {}
console.log(Empty.prototype, Derived.prototype, new Derived(1), Object.create(Derived.prototype));
const own = new Empty();
own.constructor = List;
console.log(own, Object.create({ constructor: Empty }), Object.create({ a: 1 }));
function Replaced() { this.x = {}; }
Replaced.prototype = {};
console.log(new Replaced(), [[[new Replaced()]]]);

// Keys, and strings that choose their quotes.
console.log({ $a: 1, a$: 2, _b: 3, C4: 4, "a-b": 5, "": 6, 7: 7 });
console.log({ "it's": ["'"] }, ['"', "'\"", "`'", "'\"$"]);
