// Building strings: long concatenations, pieces, characters beyond Latin-1, numbers as text.
"use strict";

let text = "";
for (let i = 0; i < 5000; i++) text += i % 10;
console.log(text.length, text.slice(0, 12), text.charAt(4999), text.indexOf("90"));

let backwards = "";
for (const c of "stressed \u00e9\u4e2d\ud83d\ude00") backwards = c + backwards;
console.log(backwards, backwards.length);

const words = [];
for (let i = 0; i < 200; i++) words.push("w" + i.toString(36));
const joined = words.join(" ");
console.log(joined.length, joined.split(" ").length, joined.split("").length, joined.lastIndexOf("w5j"));

const counts = {};
for (const c of joined) counts[c] = (counts[c] || 0) + 1;
console.log(Object.keys(counts).sort().map((c) => c + counts[c]).join(""));

function caesar(s, by) {
  let out = "";
  for (let i = 0; i < s.length; i++) {
    const code = s.charCodeAt(i);
    out += code >= 97 && code <= 122 ? String.fromCharCode((code - 97 + by) % 26 + 97) : s[i];
  }
  return out;
}
console.log(caesar(caesar("the quick brown fox", 13), 13), caesar("hello", 3));

const numbers = [0, -0, 1 / 3, 1e21, 1e-7, 123456789.125, 2 ** 53, -1 / 0, 0 / 0, 5e-324];
console.log(numbers.map(String).join(" "));
console.log(numbers.map((n) => (Math.abs(n) < 1e9 ? n.toFixed(3) : "-")).join(" "));

let doubled = "ab\u4e2d";
for (let i = 0; i < 14; i++) doubled += doubled;
let sum = 0;
for (let i = 0; i < doubled.length; i += 1001) sum += doubled.charCodeAt(i);
console.log(doubled.length, sum, doubled === "ab\u4e2d".repeat(16384));

const table = [["name", "size"], ["young", 4], ["old", 28]];
console.log(table.map((row) => row.map((cell) => String(cell).padEnd(7, ".")).join("|")).join("\n"));
console.log(`${1 + 1}${"x".repeat(3)}${[1, [2, 3]]}${{ toString() { return "object"; } }}`);
