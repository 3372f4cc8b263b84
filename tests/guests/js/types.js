// The interface `basic` in JavaScript: shows that values survive what componentize-js makes of them.

export function greet(name) {
  return `Hello, ${name}!`;
}

const same = (v) => v;

export const basic = {
  echoBool: same,
  echoU32: same,
  echoS64: same,
  echoF64: same,
  echoChar: same,
  echoString: same,
  echoBytes: same,
  echoStrings: same,
  echoPerson: same,
  echoPeople: same,
  echoTuple: same,
  echoShape: same,
  echoColor: same,
  echoOption: same,
  // A result arrives as an object; an error is returned by throwing it.
  echoResult(v) {
    if (v.tag === "err") throw v.val;
    return v.val;
  },
};
