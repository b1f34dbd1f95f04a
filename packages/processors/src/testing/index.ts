/** What `import … from '@siltstone/processors/testing'` gives: material for measurements. It is not published. */
export { pageOfText, type PdfLine, type PdfOptions, writePdf } from './pdf-writer.ts'
