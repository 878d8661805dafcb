// Variables that outlive their functions: counters, memoisation, a variable per iteration, functions of functions.
"use strict";

function counter(start, step = 1) {
  let value = start;
  return {
    next: () => (value += step),
    reset() { value = start; },
    get value() { return value; },
    set value(v) { value = v; },
  };
}

const one = counter(0);
const ten = counter(100, 10);
for (let i = 0; i < 5; i++) { one.next(); ten.next(); }
one.value = 42;
console.log(one.value, ten.value, one.next());
ten.reset();
console.log(ten.value);

const memo = (f) => {
  const known = {};
  return (n) => (n in known ? known[n] : (known[n] = f(n)));
};
const fibonacci = memo((n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)));
console.log(fibonacci(78));

const later = [];
for (let i = 0; i < 4; i++) {
  const square = i * i;
  later.push(() => { i += 10; return i + ":" + square; });
}
console.log(later.map((f) => f()).join(" "), later.map((f) => f()).join(" "));

const compose = (...fs) => (x) => fs.reduceRight((value, f) => f(value), x);
console.log(compose((x) => x + 1, (x) => x * 2, String, (x) => x.length)("abcdef"));

function tree(depth) {
  if (depth === 0) return (f, x) => f(x);
  const left = tree(depth - 1);
  const right = tree(depth - 1);
  return (f, x) => right(f, left(f, x));
}
console.log(tree(10)((x) => x + 1, 0));

let chain = () => 0;
for (let i = 1; i <= 1000; i++) {
  const previous = chain;
  chain = () => previous() + i;
}
console.log(chain());

const self = function me(n) { return n === 0 ? "done" : me(n - 1); };
console.log(self(100), self.name);
