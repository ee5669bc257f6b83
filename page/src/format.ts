// Numbers, times and texts as people read them, in the language and the time zone of the reader.

const NUMBER = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const SHARE = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const ABSOLUTE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const DAY_AND_CLOCK = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const STEPS = [
  ["day", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

export function number(value: number): string {
  return NUMBER.format(value);
}

export function share(value: number | null): string {
  return value === null ? "none" : SHARE.format(value);
}

/** Return a number with its noun, in the plural unless the number is 1. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${number(count)} ${count === 1 ? noun : plural}`;
}

/** Return a duration in its two largest units, such as `2 h 5 min`. */
export function duration(seconds: number): string {
  let left = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of STEPS) {
    const count = Math.floor(left / size);
    if (count && parts.length < 2) parts.push(`${count} ${unit === "day" && count > 1 ? "days" : unit}`);
    else if (parts.length) break;
    left -= count * size;
  }
  return parts.join(" ") || "0 s";
}

/** Return how long ago a time was, such as `5 min ago`, or how far away it is. */
export function relative(time: Date, now: Date): string {
  const seconds = (now.getTime() - time.getTime()) / 1000;
  if (Math.abs(seconds) < 1.5) return "now";
  const [unit, size] = STEPS.find(([, each]) => Math.abs(seconds) >= each) ?? STEPS[3];
  const count = Math.floor(Math.abs(seconds) / size);
  const text = `${count} ${unit === "day" && count > 1 ? "days" : unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

export function absolute(time: Date): string {
  return ABSOLUTE.format(time);
}

/** Return the time of day, with the date where that is not today's. */
export function clock(time: Date, now = new Date()): string {
  return (time.toDateString() === now.toDateString() ? CLOCK : DAY_AND_CLOCK).format(time);
}

/** Return an Azure resource id as its name, with the names of its parents; any other text unchanged. */
export function shortId(text: string): string {
  const parts = text.split("/").filter(Boolean);
  return parts.length >= 8 && parts[0]?.toLowerCase() === "subscriptions"
    ? parts.filter((_, index) => index >= 7 && index % 2).join("/")
    : text;
}

/** Return the resource group of an Azure resource id; empty for any other text. */
export function groupOf(text: string): string {
  const parts = text.split("/").filter(Boolean);
  return parts.length >= 8 && parts[0]?.toLowerCase() === "subscriptions" ? (parts[3] ?? "") : "";
}

// Control characters, and those that change the direction of text, have no width or change the one before them; and
// marks of a letter that already has four, which would cover other lines. \t and \n are space in HTML.
const INVISIBLE =
  /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?<=\p{M}{4})\p{M}/gu;

/** Return a text in which each character that cannot be seen by itself is written as its code point. */
export function visible(text: string): string {
  return text.replace(
    INVISIBLE,
    (found) => `\\u${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}

const WHOLE = 24;
const LONGEST_PIECE = 32;

/**
 * Return a text in the pieces between which a line may break in addition to its spaces and hyphens: after dots, slashes
 * and other signs in long names and ids, and inside a piece that would be longer than a line.
 */
export function pieces(text: string): string[] {
  if (text.length <= WHOLE) return [text];
  const found: string[] = [];
  let rest = "";
  for (const word of text.split(/(?<=\s)/)) {
    const [first = "", ...others] =
      word.length > WHOLE ? word.split(/(?<=[./_@:|](?=\S))/).flatMap(cut) : [word];
    rest += first;
    for (const each of others) {
      found.push(rest);
      rest = each;
    }
  }
  return [...found, rest];
}

/** Return whether a text is one word, so short that no line has to break in it. */
export function isWhole(text: string): boolean {
  return text.length <= WHOLE && !/\s/.test(text);
}

function cut(text: string): string[] {
  if (text.length <= LONGEST_PIECE || text.includes("-")) return [text];
  return text.match(new RegExp(`.{1,${LONGEST_PIECE / 2}}`, "gsu")) ?? [];
}

const SIZES = ["octets", "KiB", "MiB", "GiB", "TiB"] as const;

/** Return a size in the largest unit of which there is at least 1, such as `2.4 MiB`. */
export function octets(value: number): string {
  const step = value < 1024 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), SIZES.length - 1);
  return `${number(value / 1024 ** step)} ${SIZES[step] ?? ""}`;
}
