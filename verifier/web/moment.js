// moment: texts to Unix milliseconds and back. Impossible dates are refused,
// where Date would mend them.
import { toLatin1 } from "./bytes.js";
import { need } from "./refused.js";

export const MOMENT_MAX_MS = 253402300799999; // the last of the year 9999

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?Z$/;
const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

function toMs(year, [month, day, hour, minute, second], ms = 0) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, ms);
  need(year >= 1 && date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day &&
    date.getUTCHours() === hour && date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second, "no such date");
  return date.getTime();
}

// "2026-11-01T00:00:00.000Z"
export function fromRfc3339(text) {
  const found = RFC3339.exec(text);
  need(found !== null, "not RFC 3339 in UTC");
  const [year, ...rest] = found.slice(1, 7).map(Number);
  return toMs(year, rest, Number((found[7] ?? "").padEnd(3, "0")));
}

// RFC 5280, 4.1.2.5: UTCTime (tag 0x17) to 2049, GeneralizedTime from 2050.
export function fromAsn1(tag, bytes) {
  const text = toLatin1(bytes);
  const found = (tag === 0x17 ? UTC_TIME : GENERALIZED_TIME).exec(text);
  need(found !== null, "not a time of a certificate");
  const [number, ...rest] = found.slice(1, 7).map(Number);
  if (tag === 0x17) return toMs(number + (number >= 50 ? 1900 : 2000), rest);
  need(number >= 2050, "a GeneralizedTime before 2050");
  return toMs(number, rest);
}

export function toText(ms) {
  if (!Number.isFinite(ms) || ms < 0 || ms > MOMENT_MAX_MS) return `${ms} ms`;
  return new Date(ms).toISOString();
}
