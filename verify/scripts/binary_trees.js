// Trees that are built, walked and dropped: two thirds of a million nodes and, with the frames of the calls, more than two
// million objects, of which few live long.
"use strict";

class Node {
  constructor(left, right) {
    this.left = left;
    this.right = right;
  }

  count() {
    return this.left === null ? 1 : 1 + this.left.count() + this.right.count();
  }
}

let made = 0;

function build(depth) {
  made++;
  return depth === 0 ? new Node(null, null) : new Node(build(depth - 1), build(depth - 1));
}

const least = 4;
const most = 12;
console.log("stretch tree of depth " + (most + 1) + " counts " + build(most + 1).count());
const kept = build(most);
for (let depth = least; depth <= most; depth += 2) {
  const times = 1 << (most - depth + least);
  let sum = 0;
  for (let i = 0; i < times; i++) sum += build(depth).count();
  console.log(times + " trees of depth " + depth + " count " + sum);
}
console.log("kept tree of depth " + most + " counts " + kept.count());
console.log(made + " nodes");
