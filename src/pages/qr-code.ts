import qrcode from 'qrcode-generator';
import { type Html, trustedHtml } from '../web/html.ts';

/** Modules of quiet around the code (ISO/IEC 18004, 5.3.8). */
const QUIET = 4;

/**
 * A QR code as a picture drawn in the page: one path, black on white whatever the page's colours are, since cameras
 * read nothing else reliably. @param text an address of ours; it is encoded, never written into the markup
 */
export function qrCode(text: string): Html {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  let path = '';
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if (!code.isDark(row, column)) continue;
      let end = column + 1;
      while (end < size && code.isDark(row, end)) end++;
      path += `M${column + QUIET} ${row + QUIET}h${end - column}v1h${column - end}z`;
      column = end;
    }
  }
  const side = size + 2 * QUIET;
  return trustedHtml(
    `<svg viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges" aria-hidden="true" focusable="false"><path fill="#fff" d="M0 0h${side}v${side}H0z"/><path fill="#000" d="${path}"/></svg>`,
  );
}
