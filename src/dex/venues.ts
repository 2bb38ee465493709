/** The registry of venues: by name, and by the program that owns a pool. */
import type { Address } from "#core/units.ts";
import { meteoraDlmmVenue } from "./meteora-dlmm/venue.ts";
import { orcaWhirlpoolVenue } from "./orca-whirlpool/venue.ts";
import { pumpSwapVenue } from "./pumpswap/venue.ts";
import { raydiumAmmV4Venue } from "./raydium-amm-v4/venue.ts";
import { raydiumClmmVenue } from "./raydium-clmm/venue.ts";
import { raydiumCpmmVenue } from "./raydium-cpmm/venue.ts";
import type { Venue, VenueName } from "./venue.ts";

/** A venue whose kind of state nobody needs to know: whoever holds a state of it got it from the same venue. */
export type AnyVenue = Venue<unknown>;

// A venue takes only states that it made itself, which callers of the registry keep to and the type cannot say.
const anyVenue = <State>(venue: Venue<State>): AnyVenue => venue as AnyVenue;

export const VENUES: readonly AnyVenue[] = [
  anyVenue(raydiumAmmV4Venue),
  anyVenue(raydiumCpmmVenue),
  anyVenue(raydiumClmmVenue),
  anyVenue(orcaWhirlpoolVenue),
  anyVenue(meteoraDlmmVenue),
  anyVenue(pumpSwapVenue),
];

const byName: ReadonlyMap<VenueName, AnyVenue> = new Map(VENUES.map((venue) => [venue.name, venue]));
const byProgram: ReadonlyMap<Address, AnyVenue> = new Map(VENUES.map((venue) => [venue.program, venue]));

export const venueNamed = (name: VenueName): AnyVenue | undefined => byName.get(name);
export const venueOfProgram = (program: Address): AnyVenue | undefined => byProgram.get(program);
