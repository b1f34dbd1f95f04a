"""Patterns and texts to ask Chroma about. The random patterns come from a fixed seed, so the list is the same each time."""

import random

TEXTS = [
    "", "a", "A", "b", "aa", "ab", "abc", "ABC", "xyz", "a b", "foo bar", "foo-bar", "foo_bar1", "word", " word ", "x1y22z333",
    "a\nb", "a\r\nb", "\n", "\r\n", "a\n", "\na", "line one\nline two\nabc", "tab\there", "a.b*c", "\\d", "{a}", "a{2}", "[x]",
    "The quick brown fox", "El niño comió piñas", "Straße", "STRASSE", "STRAẞE", "İstanbul", "ıstanbul", "K kelvin", "ſtop", "Å angstrom",
    "cafe\u0301", "café", "Привет мир", "МОСКВА", "Ελληνικά λόγος", "ΣΊΣΥΦΟΣ", "שלום עולם", "مرحبا بالعالم", "٣٤٥", "१२३ नमस्ते",
    "สวัสดีชาวโลก", "你好，世界", "東京タワー", "カタカナ ひらがな", "한국어 문장", "ქართული", "Ձայն հայ", "😀", "👩‍👩‍👧 family", "🇩🇪 flag",
    "x😀y", "ﬁ ligature", "Ⅷ roman", "²³ sup", "a\u200db", "_\u00a0nbsp", "\u2028sep\u2029", "zero\u0000nul", "\u0301", "𝔘𝔫𝔦", "ǅ Dž titlecase",
]

WRITTEN = r"""
a
abc
^abc$
^a
c$
^$
^
$
.
..
^.$
^..$
^...$
a.b
(?s)a.b
(?s)^.$
(?s)^.*$
(?m)^a$
(?m)^b$
(?m)^$
(?mR)^b$
(?mR)a$
(?mR)^$
(?m)a$
(?R)a$
(?R)a.
(?Rs)a..b
(?m)^line
(?m)two$
\Aabc
abc\z
\A\z
\Aa
a\z
\Z
\G
\K
\R
\X
\h
\w
\W
\d
\D
\s
\S
^\w+$
^\W+$
^\d+$
^\D+$
^\s+$
^\S+$
^\w$
\w\W\w
\d{3}
\d{2,}
^\d{3}$
\s\S\s
[\w]
[\W]
[^\w]
[^\W]
[^\d\s]
[\d\s]
[\w&&\d]
[\w--\d]
[\w~~\d]
[\w&&[^\d]]
^[\w--\d]+$
\bword\b
\bмир\b
\bПривет
niño\b
ni\wo
\bni
\Bord
wor\B
\B
^\B
\b
^\b
\b$
\bmir\b
\b{start}w
d\b{end}
\b{start}
\b{end}
\b{start-half}w
d\b{end-half}
\b{start-half}
\b{end-half}
^\b{start-half}$
\<word\>
\<\w
\w\>
\<
\>
\b{start}мир\b{end}
\b{foo}
\b{start
\b{
\b{2}
\b{,2}
\B{start}
\b{ start }
(?x)\b{ start }w
[a-z&&[^aeiou]]
^[a-z&&[^aeiou]]$
[a-z--[aeiou]]
^[a-z--[aeiou]]+$
[a-c~~b-d]
^[[a-c]~~[b-d]]$
[a-z&&b-y&&c-x]
[^a-z&&b-y]
[a&&b]
[a&&a]
[\w&&[^\w]]
[^\s\S]
[\s\S]
[[:alpha:]]
[[:^alpha:]]
[[:alpha:][:digit:]]
[[:word:]]
[[:foo:]]
[:alpha:]
[[:punct:]]
[[:space:]]
[[:upper:]]
(?i)[[:upper:]]
[[:ascii:]]
^[[:^ascii:]]+$
[[:cntrl:]]
[]a]
[^]a]
[-a]
[a-]
[--a]
[a--]
[a-c-e]
[\]]
[\[]
[[]
[a[b]c]
[a[^b]]
[^[^a]]
[]
[^]
[a
[z-a]
[\d-z]
[a-\d]
[\b]
[\A]
[.]
[$^]
[a&b]
[a&&&b]
[a~b]
[\x41-\x43]
[\u{410}-\u{44f}]
[а-яё]
(?i)[а-я]+
[α-ω]
(?i)[α-ω]
[א-ת]+
[一-鿿]
[ぁ-ゖ]
[가-힣]
[😀-😂]
[^😀]
^[^a]$
\p{L}
\pL
\PL
\p{Letter}
\p{letter}
\p{ LE-tter }
\p{Lu}
\p{Ll}
\p{Lt}
\p{Nd}
\p{N}
\p{No}
\p{Nl}
\p{Mn}
\p{P}
\p{Sc}
\p{S}
\p{Z}
\p{Zs}
\p{Cc}
\p{Cf}
\p{Cn}
\p{Co}
\p{Cs}
\p{LC}
\p{Greek}
\p{Script=Greek}
\p{sc=Greek}
\p{Script:Greek}
\p{Script!=Greek}
\P{Greek}
\P{Script!=Greek}
\p{scx=Greek}
\p{Script_Extensions=Deva}
\p{Cyrillic}
\p{isCyrillic}
\p{IsGreek}
\p{Han}
\p{Hiragana}
\p{Katakana}
\p{Hangul}
\p{Thai}
\p{Arabic}
\p{Hebrew}
\p{Devanagari}
\p{Georgian}
\p{Armenian}
\p{Latin}
\p{Common}
\p{Inherited}
\p{Emoji}
\p{Emoji_Presentation}
\p{Extended_Pictographic}
\p{Emoji_Modifier}
\p{Alphabetic}
\p{Uppercase}
\p{Lowercase}
\p{White_Space}
\p{ASCII}
\p{Any}
\p{Assigned}
^\P{Any}$
\p{Age=3.0}
\p{age:6.0}
\p{Age=99}
\p{gc=Lu}
\p{General_Category=Letter}
\p{GCB=Extend}
\p{Grapheme_Cluster_Break=ZWJ}
\p{WB=Katakana}
\p{SB=Upper}
\p{InCB=Extend}
\p{XID_Start}
\p{ID_Continue}
\p{Math}
\p{Dash}
\p{Foo}
\p{Script=Foo}
\p{Foo=Bar}
\p{Block=Greek}
\p{}
\p
\p{
\pX
\p{L
\p\d
[\p{L}\d]
[\p{Greek}&&\p{Lu}]
[\p{L}--\p{Latin}]
[^\p{L}]
(?i)\p{Lu}
(?i)\p{Ll}
(?i)\P{Lu}
(?i)[^\p{Lu}]
\x41
\x{41}
\x{1F600}
\u{1F600}
\U{1F600}
\u0041
\u041F
\U0001F600
\x{110000}
\x{D800}
\uD800
\x{}
\x4
\xZZ
\u{zz}
\u12
\x{41
\x{000000041}
\0
\1
\07
\8
(a)\1
(?i)abc
(?i)ABC
(?i)straße
(?i)STRASSE
(?i)straẞe
(?i)istanbul
(?i)İstanbul
(?i)ıstanbul
(?i)k
(?i)K
(?i)K
(?i)s
(?i)ſ
(?i)stop
(?i)å
(?i)Å
(?i)[k]
(?i)[^k]
(?i)[a-z]+
(?i)^[a-z]+$
(?i)^[^a-z]+$
(?i)привет
(?i)москва
(?i)ςίσυφος
(?i)σίσυφοσ
(?i)λ
(?i)ﬁ
(?i)ǆ
(?i)Ⅷ
(?i)ⅷ
(?i)ქ
(?i)ձ
(?i)[[a-z]--[k]]
(?i)[a-z--k]
(?i)a(?-i)b
(?i:a)b
a(?i)b|c
(a(?i)b)c
(?i)(?-i:a)B
(?i-u)a
(?i-u:1)
(?-u)a
(?-u:a)b
(?-u:é)
(?-u:[a])
(?-u:[ab])
(?-u:[é])
(?-u:\d)
(?-u:\w)
(?-u:\W)
(?-u:.)
(?-u:(?s).)
(?-u:\xff)
(?-u:\x41)
(?-u:\x{ff})
(?-u:[\xff])
(?-u:\pL)
(?-u:[^a])
(?-u:\b)word
(?-u:\b)мир
(?-u:\B)ир
(?-u:\b{start})a
(?-u:\<)н
(?-u:[[:alpha:]])
(?-u:\d)|(?-u:\s)
(?-u:\d)|a
(?-u:\d){0}a
((?-u:\d))|\d
(?-u:\d)|\d
(?u)\w
(?u:\d)(?-u:1)
(?x) a b c
(?x) a # comment
(?x) a # (
(?x) a\ b
(?x) [ a b ] c
(?x: a b ) c
(?x) a { 2 }
(?x) a {2}
(?x) ( ?i:a)
(?x)\x{4 1}
(?x)\p{ Gre ek }
(?x) [a - c]
(?x) [a # x
 b]
(?-x) a
(?x)a+ ?
(?x) # only
(?U)a+
(?U)a+?b
(?sU)a.*b
(?is)A.B
(?i-s)A.B
(?ims)^B$
(?)
(?:)
()
(?i)
(?i)*
(?z)a
(?ii)a
(?i-i)a
(?i--s)a
(?-)a
(?i-)a
(?i
(?
(?P<n>a)b
(?<n>a)b
(?P<n>a)(?P<n>b)
(?P<>a)
(?P<1>a)
(?P<n.x[0]>a)
(?P<é>a)
(?P<n
(?P<n!>a)
(?P=n)
(?P>n)
(?'n'a)
(?=a)
(?!a)
(?<=a)b
(?<!a)b
(?>a)
(?#comment)
(?|a|b)
a|b
a|
|a
|
a||b
(a|b)c
(?:a|b|c)+$
^(?:foo|bar)
foo|bar|мир
^(a|ab)(c|bcd)?$
(a|b)*c
(a*)*
(a*)+
(a+)+$
(a?){3}b
(?:a{2}){2}
(?:(?:x|y)*z)+
((a)|(b))+
((((a))))
a*
a+
a?
a??
a*?
a+?
a**
a++
a?*
^a*$
^a{2}$
a{2}
a{2,}
a{1,2}
a{2,1}
a{0}
a{0}b
a{0,0}b
a{,2}
a{,}
a{}
a{
a{2
a{2,
a{2,3
a{x}
a{2x}
a{ 2 }
a{ 2 , 3 }
a{99999999999}
a{2}{3}
a{2}?
{a}
{2}
x{2,3}?y
\{a\}
\{a}
a}
]
}
)
(
a)
(a
*a
+a
?a
^*
$+
^{2}
\b+
(^a)+
(?:^)*a
(|a)+b
\.
\*
\\d
\\
\
\-
\#
\&
\~
\ 
\/
\"
\'
\_
\@
\%
\!
\:
\;
\=
\,
\`
\a
\f
\n
\r
\t
\v
\e
\c
\cA
\E
\Qa\E
\Q.\E
\i
\y
\é
\😀
#
~
&
-
 
/
é
e\u0301
cafe\u0301
caf\w\w
caf.$
[é]
\u0301
e\pM
^\pM
\p{M}+
😀
^😀$
x.y
x[^a]y
👩.👩
👩\u200D👩
🇩🇪
\u{1F1E9}\u{1F1EA}
[🇩🇪]
^\p{Emoji}$
สวัสดี
\bชาว
ดี.{2}
你好
世界$
^你
好.世
東京
\bタワー
[ァ-ヶー]+
한국어\s
שלום
םולש
عال\w
مرحبا\b
\b\w{5}\b
^\w{3}$
\w+\s\w+
^(?:\w+\s?)+$
नम\w
१\d३
\bनमस्ते\b
ქა
(?i)ᲥᲐ
հայ$
²
\d²
[²³]
Ⅷ\b
𝔘
^\w𝔫
ǅ
(?i)ǆ\b
zero\x00nul
\x00
[\x00-\x1f]
\u00a0
_\s
\u2028
^\s
(?m)sep$
a\u200db
a\Bb
a\w
a.{1}b
\w{0,3}x
.{3,5}$
^.{4}$
(?s).{4}
^(?:.\n?)+$
(?i)the\s+QUICK
quick.*fox
(?i)(quick|slow)\s+BROWN
^The.*x$
[A-Z][a-z]+\s
\b[a-z]{5}\b
[^a-z\s]
x\d+y\d+z
\d+\D+\d+
(?:\d\D*){6}
""".strip("\n").split("\n")
# Two lines of the list above are one pattern, with a comment that ends.
at = WRITTEN.index("(?x) [a # x")
WRITTEN[at : at + 2] = ["(?x) [a # x\n b]"]
WRITTEN += ["a\n(", "(?x)a\n# b\n c", "(?x)a # b\n{2}", "a\nb", "x\n[", "(\na", "\n*{", "é(\U0001F600", "a{2,1}\n", "(?P<a>x)\n(?P<a>y)"]

ATOMS = [
    "a", "b", "x", "ab", "é", "ß", "K", "ſ", "i", "İ", "мир", "М", "λ", "ש", "م", "३", "界", "ดี", "😀", "\\u0301", ".", "\\w", "\\W",
    "\\d", "\\D", "\\s", "\\S", "\\b", "\\B", "^", "$", "\\A", "\\z", "\\<", "\\>", "\\b{start-half}", "\\b{end-half}", "[a-c]", "[^a]",
    "[\\w--[a-z]]", "[а-я&&[^м]]", "\\p{L}", "\\P{L}", "\\p{Lu}", "\\p{Greek}", "\\p{Mn}", "[[:alpha:]]", "[^\\s]", "\\n", " ", "[\\W~~\\s]",
]


def expression(r, depth=0):
    kind = r.random()
    if depth > 3 or kind < 0.45:
        return r.choice(ATOMS)
    if kind < 0.65:
        return expression(r, depth + 1) + expression(r, depth + 1)
    if kind < 0.78:
        return "(?:" + expression(r, depth + 1) + "|" + expression(r, depth + 1) + ")"
    sign = r.choice(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"])
    opening = r.choice(["(", "(?:", "(?i:", "(?s:", "(?m:", "(?mR:", "(?is:"])
    return opening + expression(r, depth + 1) + ")" + r.choice(["", sign])


def random_patterns(count):
    r = random.Random(4)
    patterns = []
    while len(patterns) < count:
        body = "".join(expression(r) for _ in range(r.randint(1, 3)))
        start, end = r.choice([("", ""), ("", ""), ("^", "$"), ("(?i)", ""), ("(?i)^", "$"), ("\\b", "\\b")])
        if len(body) <= 60:
            patterns.append(start + body + end)
    return patterns


PATTERNS = list(dict.fromkeys([pattern for pattern in WRITTEN if pattern] + random_patterns(400)))
