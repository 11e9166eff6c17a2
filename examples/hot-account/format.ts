export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en');
}

export function formatMilliseconds(milliseconds: number): string {
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
}
