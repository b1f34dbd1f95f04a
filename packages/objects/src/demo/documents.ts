/** What the demo uploads: documents of several kinds, and subtitles of a talk. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  'uploads/rivers.md': `# Rivers

## What a river carries

A river carries stones along its bed, sand in leaps above it, and silt in its whole depth.

## Where it lets go

Where the current slackens, in a bend, in a lake or at the sea, the river drops its mud, the finest grains last. So a delta is sand at
its head and clay at its rim.
`,
  'uploads/bread.html': `<!doctype html><html lang="en"><head><title>Bread</title></head><body><article><h1>Bread</h1>
<p>Knead flour, water and salt until the dough is smooth, and leave it in a warm place for an hour.</p>
<p>Bake the loaf at 230 degrees, with steam for the first ten minutes, which keeps the crust soft while the loaf rises.</p>
</article></body></html>
`,
  'uploads/harbour.eml': `From: Ada <ada@example.com>
To: Bob <bob@example.com>
Subject: Dredging of the harbour
Date: Fri, 1 Mar 2024 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="part"

--part
Content-Type: text/plain; charset=utf-8

The channel has lost two metres in a year. The dredger comes on Monday at six.
--part
Content-Type: text/csv; name="depths.csv"
Content-Disposition: attachment; filename="depths.csv"

year,depth in metres
2022,9.4
2023,8.1
2024,6.9
--part--
`,
  'uploads/broken.pdf': '%PDF-1.7\nThis is not what a PDF looks like.\n',
}

/** SubRip. */
export const SUBTITLES = `1
00:00:00,500 --> 00:00:03,500
A glacier moves a few centimetres a day.

2
00:00:04,000 --> 00:00:07,500
It grinds the rock beneath it to a flour that colours the lakes below.
`

export const QUESTIONS = [
  'where does a river drop its mud?',
  'when does the dredging begin?',
  'what does a glacier do to the rock below it?',
  'how long must the dough rest?',
]
