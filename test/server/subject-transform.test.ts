import assert from "node:assert/strict";
import { test } from "node:test";
import { subjectTransform } from "../../src/server/subject-transform.ts";

const RESULTS: readonly (readonly [
  src: string,
  dest: string,
  subject: string,
  result: string | undefined,
])[] = [
  ["T.*", "$1", "T.abc", "abc"],
  ["T.*", "{{ Wildcard( 1 ) }}", "T.abc", "abc"],
  ["T.*", "$0", "T.abc", "T"],
  ["T.*", "x$1", "T.abc", "x$1"],
  ["T.*", "$x", "T.abc", "$x"],
  ["T.*.*", "$2.$1", "T.a.b", "b.a"],
  ["T.*.>", "q.$1.>", "T.a.b.c", "q.a.b.c"],
  [">", "q.>", "T.a.b", "q.T.a.b"],
  ["", "q.>", "T.a", "q.T.a"],
  ["T.>", "q.>", "T.a.b", "q.a.b"],
  ["T.*", "q", "U.a", undefined],
  ["T.*", "{{partition(10,1)}}", "T.foo", "3"],
  ["T.*", "{{partition(10,1)}}", "T.bar", "2"],
  ["*.*", "{{partition(10,1,2)}}", "foo.bar", "0"],
  ["T.*", "{{partition(10,1)}}", "T.é", "7"],
  ["T.*", "{{partition(0)}}", "T.a", "0"],
  ["T.*", "{{random(1)}}", "T.a", "0"],
  ["T.*", "{{split(1,-)}}", "T.a-b-c", "a.b.c"],
  ["T.*", "{{split(1,-)}}", "T.-a--b-", "a.b"],
  ["T.*", "{{split(1, )}}", "T.abc", "a.b.c"],
  ["T.*", "{{splitFromLeft(1,2)}}", "T.abcdef", "ab.cdef"],
  ["T.*", "{{splitFromLeft(1,2)}}", "T.ab", "ab"],
  ["T.*", "{{splitFromLeft(1,0)}}", "T.ab", "ab"],
  ["T.*", "{{splitFromRight(1,2)}}", "T.abcdef", "abcd.ef"],
  ["T.*", "{{splitFromRight(1,3)}}", "T.ab", "ab"],
  ["T.*", "{{sliceFromLeft(1,2)}}", "T.abcde", "ab.cd.e"],
  ["T.*", "{{sliceFromRight(1,2)}}", "T.abcde", "a.bc.de"],
  ["T.*", "{{sliceFromRight(1,2)}}", "T.abcd", "ab.cd"],
  ["T.*", "{{left(1,2)}}", "T.abc", "ab"],
  ["T.*", "{{right(1,2)}}", "T.abc", "bc"],
  ["T.*", "{{right(1,9)}}", "T.abc", "abc"],
];

for (const [src, dest, subject, result] of RESULTS) {
  test(`the rule from '${src}' to '${dest}' makes ${result} of ${subject}`, () => {
    assert.equal(subjectTransform(src, dest)(subject), result);
  });
}

// as nats-server 2.15 words them
const ERRORS: readonly (readonly [src: string, dest: string, error: string])[] = [
  ["T.*", "*", "invalid subject"],
  ["T.*", "a.>", "invalid subject"],
  ["T.>", "a", "invalid subject"],
  ["T.*", "a..b", "invalid mapping destination: invalid transform"],
  ["T.*", "$2", "invalid mapping destination: wildcard index out of range in $2: [2]"],
  [
    "T.*",
    "{{split(9,-)}}",
    "invalid mapping destination: wildcard index out of range in {{split(9,-)}}: [9]",
  ],
  ["T.*", "{{foo(1)}}", "invalid mapping destination: unknown function in {{foo(1)}}"],
  ["T.*", "{{wildcard 1}}", "invalid mapping destination: unknown function in {{wildcard 1}}"],
];

for (const [what, calls] of [
  ["not enough arguments passed to the function", ["wildcard()", "split(1)", "left(1)", "random(1,2)"]],
  ["too many arguments passed to the function", ["wildcard(1,2)", "left(1,2,3)", "split(1,-,x)"]],
  [
    "function argument is invalid or in the wrong format",
    ["wildcard(a)", "partition()", "partition(a)", "random()", "left(1,x)", "partition(5000000000)"],
  ],
] as const) {
  for (const call of calls) {
    test(`{{${call}}} in a rule is refused: ${what}`, () => {
      assert.throws(() => subjectTransform("T.*", `{{${call}}}`), {
        message: `invalid mapping destination: ${what} in {{${call}}}`,
      });
    });
  }
}

for (const [src, dest, message] of ERRORS) {
  test(`the rule from '${src}' to '${dest}' is refused: ${message}`, () => {
    assert.throws(() => subjectTransform(src, dest), { message });
  });
}
