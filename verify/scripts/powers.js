// Powers, by the operator and by the function: where the language fixes the result, and where the result is exact.
"use strict";

const show = (value) => (Object.is(value, -0) ? "-0" : String(value));

function ask(base, exponents) {
  for (const exponent of exponents) {
    const [one, other] = [base ** exponent, Math.pow(base, exponent)];
    const answer = Object.is(one, other) ? show(one) : show(one) + ", and by the function " + show(other);
    console.log(show(base) + " ** " + show(exponent) + " -> " + answer);
  }
}

// What the language fixes.
const exponents = [0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 53 - 1, 1e300];
for (const base of [0, -0, 1, Infinity, -Infinity, NaN]) ask(base, exponents);
ask(-1, [0, 1, 2, -3, 0.5, NaN, Infinity, -Infinity, 1101, 2 ** 53, 2 ** 53 - 1, -(2 ** 53 - 1)]);
for (const base of [2, -2, 0.5, -0.5, 1 + 2 ** -52]) ask(base, [NaN, Infinity, -Infinity, 0]);
ask(-8, [1 / 3, 0.5, -1.5, 5e-324]);
ask(-0.1, [2 ** 52 - 0.5]);

// Powers of two, down to the least number and up to the greatest.
ask(2, [-1, -10, -1021, -1022, -1023, -1024, -1025, -1073, -1074, -1075, -1076, -2000, 52, 1022, 1023, 1024, 2000]);
ask(-2, [-1023, -1024, -1073, -1074, -1075, 1023, 1024, 1025, -2001]);
ask(0.5, [-1023, -1024, -1100, 1022, 1023, 1024, 1073, 1074, 1075]);
ask(4, [-511, -512, -537, -538, 511, 512]);
ask(-8, [-341, -342, -357, -358, -359, 341, 342]);
ask(2 ** -1074, [1, -1, 2, -2]);
ask(2 ** 1023, [1, -1, 2, -2]);

// Integers and fractions of few digits.
ask(3, [1, 2, 33, 1100]);
ask(-3, [32, 33, 1101]);
ask(10, [3, 15, 16, 21, 22, 400, -400]);
ask(1.5, [1, 2, 3, 33, 2000, -2000]);
ask(-0.75, [1, 2, 20, 4000, 4001]);
ask(12, [5, 20, 33]);
ask(1.7976931348623157e308, [1, 2, -2]);
