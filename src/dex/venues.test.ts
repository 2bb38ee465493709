import { expect, test } from "bun:test";
import { VENUE_NAMES } from "./venue.ts";
import { VENUES, venueNamed, venueOfProgram } from "./venues.ts";

test("VENUES holds each venue once, found by its name and by its program", () => {
  expect(VENUES.map((venue) => venue.name)).toEqual([...VENUE_NAMES]);
  for (const venue of VENUES) {
    expect(venueNamed(venue.name)).toBe(venue);
    expect(venueOfProgram(venue.program)).toBe(venue);
  }
});
