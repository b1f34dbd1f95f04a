/** Colours and type are the page's; the custom properties change what is left. */
export const STYLE = `
:host { display: block; position: relative; font: inherit; color: inherit; text-align: start }
:host([hidden]) { display: none }
label { display: block; font-size: .875em; margin-block-end: .25em }
input { box-sizing: border-box; inline-size: 100%; min-block-size: 2.75em; padding: .5em .75em; font: inherit; color: inherit;
  background: var(--siltstone-field, Field); border: 1px solid var(--siltstone-border, GrayText);
  border-radius: var(--siltstone-radius, .375em) }
input:focus-visible, a:focus-visible, button:focus-visible { outline: 3px solid var(--siltstone-focus, Highlight); outline-offset: 1px }
.panel { margin-block-start: .25em; max-block-size: var(--siltstone-height, 70vh); overflow: auto;
  background: var(--siltstone-background, Canvas); color: var(--siltstone-text, CanvasText);
  border: 1px solid var(--siltstone-border, GrayText); border-radius: var(--siltstone-radius, .375em) }
.panel[hidden] { display: none }
:host([overlay]) .panel { position: absolute; inset-inline: 0; z-index: var(--siltstone-layer, 10) }
.status { margin: 0; padding: .5em .75em; font-size: .875em }
button { font: inherit; color: inherit; background: none; border: 0; padding: .25em; min-block-size: 1.75em; text-decoration: underline; cursor: pointer }
ul { list-style: none; margin: 0; padding: 0 }
li { border-block-start: 1px solid var(--siltstone-border, GrayText) }
a, .plain { display: block; padding: .625em .75em; color: inherit; text-decoration: none; overflow-wrap: anywhere }
a:hover { background: var(--siltstone-hover, color-mix(in srgb, currentColor 8%, transparent)) }
.title { display: block; font-weight: 600 }
.snippet { display: block; font-size: .9em }
mark { background: var(--siltstone-mark, Mark); color: var(--siltstone-mark-text, MarkText) }
@media (forced-colors: active) { a:hover { outline: 1px solid Highlight } }
`
