import { useSyncExternalStore } from 'react';

/* eslint no-restricted-globals: off -- the only place that stores anything, and it stores these names alone */

export const THEME_KEY = 'ostiary-theme';
const DENSITY_KEY = 'ostiary-density';

export type Density = 'comfortable' | 'compact';

const listeners = new Set<() => void>();

function readDensity(): Density {
  try {
    return localStorage.getItem(DENSITY_KEY) === 'compact' ? 'compact' : 'comfortable';
  } catch {
    return 'comfortable'; // a browser may refuse storage
  }
}

let density = readDensity();

function setDensity(value: Density): void {
  density = value;
  try {
    localStorage.setItem(DENSITY_KEY, value);
  } catch {
    // It holds for this page alone.
  }
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Return the row height of tables, and the function that sets it. */
export function useDensity(): readonly [Density, (value: Density) => void] {
  return [useSyncExternalStore(subscribe, () => density), setDensity];
}
