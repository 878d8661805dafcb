// Accessors that run scripts: what they evaluate allocates, throws, defines globals, and calls accessors again.
"use strict";

const run = globalThis.eval;

class Runner {
  constructor(source) { this.source = source; this.runs = 0; }
  get get() {
    this.runs++;
    return run(this.source);
  }
  set get(source) { this.source = source; }
}

globalThis.Runner = Runner;
const plain = new Runner("1 + 2 * 3");
console.log(plain.get, plain.get, plain.runs);
plain.get = "'use strict'; const a = []; for (let i = 0; i < 100; i++) a.push({ i }); a.length + a[99].i";
console.log(plain.get);

// A script that makes a runner whose accessor runs a script, and so on.
function nested(depth) {
  return depth === 0 ? "6 * 7" : "(new Runner(" + quoted(nested(depth - 1)) + ")).get";
}
function quoted(text) {
  let out = "";
  for (const c of text) out += c === "\\" || c === "\"" ? "\\" + c : c;
  return "\"" + out + "\"";
}
console.log(new Runner(nested(5)).get);

// Exceptions come back through every accessor.
globalThis.fail = () => { throw new RangeError("from within"); };
try {
  new Runner("(new Runner('fail()')).get").get;
} catch (e) {
  console.log(e instanceof RangeError, e.message);
}
try {
  new Runner("let x = ;").get;
} catch (e) {
  console.log(e instanceof SyntaxError);
}

// What a script leaves behind on the global object the next one finds.
new Runner("globalThis.list = [1, 2, 3]; globalThis.sum = () => list.reduce((a, b) => a + b, 0);").get;
console.log(new Runner("list.push(4); sum()").get, globalThis.list.join());
console.log(typeof plain.missing, new Runner("typeof undefinedName").get);
