"use strict";
// Sorting is seen from outside: by which elements are compared, in which order, and by what an inconsistent comparison
// makes of an array. Each line has a sum over all comparisons, so one that differs changes it.

function numbers(count, kind, seed) {
    const values = [];
    for (let i = 0; i < count; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        const random = Math.floor(seed / 65536);
        if (kind === 0) values.push(random % 1000);
        else if (kind === 1) values.push(i);
        else if (kind === 2) values.push(count - i);
        else if (kind === 3) values.push(random % 4);
        else if (kind === 4) values.push(i % 97 * 10 + random % 3);
        else values.push(i < count / 2 ? i * 2 : (i - count / 2) * 2 + 1);
    }
    return values;
}

function tracked(compare) {
    let calls = 0, sum = 0;
    return {
        compare(a, b) {
            calls++;
            sum = (sum * 31 + a * 7 + b) % 1000000007;
            return compare(a, b, calls);
        },
        toString() { return calls + " calls, " + sum; },
    };
}

function digest(values) {
    let sum = 0;
    for (const value of values) sum = (sum * 33 + value) % 1000000007;
    return sum;
}

const comparisons = [
    ["up", (a, b) => a - b],
    ["down", (a, b) => b - a],
    ["never less", () => 1],
    ["always less", () => -1],
    ["a boolean", (a, b) => a > b],
    ["of the last digit", (a, b) => a % 10 - b % 10],
    ["in a circle", (a, b) => (a - b + 1500) % 3 - 1],
    ["by the call", (a, b, calls) => calls * 7919 % 13 - 6],
    ["less and less", (a, b, calls) => calls % 100 < 90 ? -1 : 1],
    ["NaN at times", (a, b, calls) => calls % 5 === 0 ? NaN : a - b],
];
console.log(comparisons.map(([name]) => name).join(", "));
for (const count of [2, 63, 64, 65, 130, 400, 1000]) {
    for (let kind = 0; kind < 6; kind++) {
        let line = count + "/" + kind + ":";
        for (const [, compare] of comparisons) {
            const values = numbers(count, kind, count * 31 + kind);
            const tracker = tracked(compare);
            values.sort((a, b) => tracker.compare(a, b));
            line += " " + digest(values) + " (" + tracker + ")";
        }
        console.log(line);
    }
}

// Without a comparison objects are asked for their text each time.
let asked = "";
const texts = ["c", "a", "b", "d"].map((text) => ({ toString() { asked += text; return text; } }));
console.log(texts.sort().join(" "), asked);
