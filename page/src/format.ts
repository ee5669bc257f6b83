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

// Control characters, and those that change the direction of text or have no width.
const INVISIBLE =
  // eslint-disable-next-line no-control-regex -- these are the characters to show
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Return a text in which each invisible character is written as its code point. */
export function visible(text: string): string {
  return text.replace(
    INVISIBLE,
    (found) => `\\u${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}

const SIZES = ["octets", "KiB", "MiB", "GiB", "TiB"] as const;

/** Return a size in the largest unit of which there is at least 1, such as `2.4 MiB`. */
export function octets(value: number): string {
  const step = value < 1024 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), SIZES.length - 1);
  return `${number(value / 1024 ** step)} ${SIZES[step] ?? ""}`;
}
