// A splay tree under constant change: old objects that refer to young ones, and payloads that die at any age. With the
// frames of the calls more than a million allocations.
"use strict";

// A generator of its own, so that every run is the same.
let seed = 49734321;
function random() {
  seed = (seed * 1103515245 + 12345) % 2147483648 | 0;
  seed = seed & 0x7fffffff;
  return seed / 2147483648;
}

class SplayNode {
  constructor(key, value) {
    this.key = key;
    this.value = value;
    this.left = null;
    this.right = null;
  }
}

class SplayTree {
  constructor() {
    this.root = null;
  }

  isEmpty() {
    return this.root === null;
  }

  insert(key, value) {
    if (this.isEmpty()) {
      this.root = new SplayNode(key, value);
      return;
    }
    this.splay(key);
    if (this.root.key === key) return;
    const node = new SplayNode(key, value);
    if (key > this.root.key) {
      node.left = this.root;
      node.right = this.root.right;
      this.root.right = null;
    } else {
      node.right = this.root;
      node.left = this.root.left;
      this.root.left = null;
    }
    this.root = node;
  }

  remove(key) {
    this.splay(key);
    if (this.root.key !== key) throw new Error("no such key: " + key);
    const removed = this.root;
    if (this.root.left === null) {
      this.root = this.root.right;
    } else {
      const right = this.root.right;
      this.root = this.root.left;
      this.splay(key);
      this.root.right = right;
    }
    return removed;
  }

  find(key) {
    if (this.isEmpty()) return null;
    this.splay(key);
    return this.root.key === key ? this.root : null;
  }

  greatestBelow(key) {
    if (this.isEmpty()) return null;
    this.splay(key);
    if (this.root.key < key) return this.root;
    let node = this.root.left;
    while (node !== null && node.right !== null) node = node.right;
    return node;
  }

  splay(key) {
    if (this.isEmpty()) return;
    const hook = new SplayNode(0, null);
    let left = hook;
    let right = hook;
    let current = this.root;
    for (;;) {
      if (key < current.key) {
        if (current.left === null) break;
        if (key < current.left.key) {
          const next = current.left;
          current.left = next.right;
          next.right = current;
          current = next;
          if (current.left === null) break;
        }
        right.left = current;
        right = current;
        current = current.left;
      } else if (key > current.key) {
        if (current.right === null) break;
        if (key > current.right.key) {
          const next = current.right;
          current.right = next.left;
          next.left = current;
          current = next;
          if (current.right === null) break;
        }
        left.right = current;
        left = current;
        current = current.right;
      } else {
        break;
      }
    }
    left.right = current.left;
    right.left = current.right;
    current.left = hook.right;
    current.right = hook.left;
    this.root = current;
  }

  keys() {
    const keys = [];
    const stack = [];
    let node = this.root;
    while (node !== null || stack.length > 0) {
      while (node !== null) {
        stack.push(node);
        node = node.left;
      }
      node = stack.pop();
      keys.push(node.key);
      node = node.right;
    }
    return keys;
  }
}

function payload(depth, tag) {
  if (depth === 0) {
    return { array: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], string: "String for key " + tag + " in leaf node" };
  }
  return { left: payload(depth - 1, tag), right: payload(depth - 1, tag) };
}

const tree = new SplayTree();
let allocated = 0;

function insertNew() {
  let key;
  do {
    key = random();
  } while (tree.find(key) !== null);
  tree.insert(key, payload(4, key));
  allocated += 64;
  return key;
}

const size = 800;
const changes = 9000;
for (let i = 0; i < size; i++) insertNew();
for (let i = 0; i < changes; i++) {
  const key = insertNew();
  const greatest = tree.greatestBelow(key);
  tree.remove(greatest === null ? key : greatest.key);
}
const keys = tree.keys();
let sorted = true;
for (let i = 1; i < keys.length; i++) if (keys[i - 1] >= keys[i]) sorted = false;
console.log("size " + keys.length + ", sorted " + sorted + ", " + allocated + " objects in payloads");
console.log("first " + keys[0].toFixed(6) + ", last " + keys[keys.length - 1].toFixed(6));
console.log(tree.find(keys[10]).value.left.right.left.right.string.startsWith("String for key"));
