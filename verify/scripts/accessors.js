// Exceptions across accessors: getters and setters that throw, catch, clean up and allocate.
"use strict";

const log = [];

class Account {
  constructor(balance) { this.cents = balance; this.reads = 0; }
  get balance() {
    this.reads++;
    if (this.cents < 0) throw new RangeError("overdrawn by " + -this.cents);
    return this.cents / 100;
  }
  set balance(value) {
    if (typeof value !== "number") throw new TypeError("no number: " + value);
    try {
      if (value > 1000) throw new Error("too much");
      this.cents = value * 100;
    } finally {
      log.push("set " + value);
    }
  }
}

class Guarded extends Account {
  get balance() {
    try {
      return super.balance;
    } catch (e) {
      if (!(e instanceof RangeError)) throw e;
      return "refused (" + e.message + ")";
    }
  }
  set balance(value) { super.balance = value; }
}

function attempt(f) {
  try { return f(); } catch (e) { return e.name + ": " + e.message; }
}

const a = new Account(500);
console.log(a.balance, attempt(() => (a.balance = 7.5)), a.balance);
console.log(attempt(() => (a.balance = "much")), attempt(() => (a.balance = 5000)), a.balance);
a.cents = -1;
console.log(attempt(() => a.balance), a.reads);
const g = new Guarded(-250);
console.log(g.balance, (g.balance = 3), g.balance, g.reads);
console.log(log.join(", "));

// A getter deep within calls, callbacks and finally blocks.
const deep = {
  get value() {
    const kept = [];
    for (let i = 0; i < 50; i++) kept.push({ i, text: "item " + i });
    if (kept.length > 40) throw { code: kept.length, first: kept[0].text };
    return 0;
  },
};
let order = "";
function walk(n) {
  try {
    return n === 0 ? [1].map(() => deep.value)[0] : walk(n - 1);
  } finally {
    order += n;
  }
}
try {
  walk(5);
} catch ({ code, first }) {
  console.log(code, first, order);
}

// Constant accessors, accessors of the prototype, and what shadows them.
class Foo { get get() { return true; } static get kind() { return "class"; } }
console.log((new Foo).get, Foo.kind, attempt(() => { (new Foo).get = false; }));
const shadow = Object.create(Foo.prototype);
console.log(attempt(() => { shadow.get = 1; }), Object.keys(shadow).length);
Object.defineProperty(shadow, "get", { value: "own" });
console.log(shadow.get, attempt(() => { shadow.get = 1; }));
const nothing = { get x() {} };
console.log(nothing.x, nothing.x === undefined);

// Recursion through an accessor ends in a RangeError, and everything works afterwards.
const endless = { get self() { return this.self; } };
console.log(attempt(() => endless.self));
console.log([3, 1, 2].sort().join(), (new Foo).get);
