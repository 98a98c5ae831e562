/** A point on Earth in degrees: north and east are positive. */
export interface Point {
  /** -90 to 90. */
  readonly lat: number;
  /** -180 to 180. */
  readonly lon: number;
}

/** A part of the Earth's surface. */
export type Area =
  | {
      readonly kind: "box";
      readonly south: number;
      readonly north: number;
      readonly west: number;
      /** Smaller than `west` where the box crosses the 180th meridian. */
      readonly east: number;
    }
  | { readonly kind: "circle"; readonly center: Point; readonly radiusKm: number }
  /** At least three corners; the last one is joined to the first. Each side goes the shorter way around the Earth. */
  | { readonly kind: "polygon"; readonly corners: readonly Point[] };

/** Mean radius (IUGG). The Earth is no sphere, so distances are right to about 0.5 %. */
const EARTH_RADIUS_KM = 6371.0088;

const RADIANS_PER_DEGREE = Math.PI / 180;

/**
 * Is the point in the area? Edges of boxes and circles belong to them; a point exactly on a polygon's side may fall
 * either way. A polygon's sides are straight on a map of degrees, and it must not have a pole in it.
 */
export function isInArea(area: Area, point: Point): boolean {
  switch (area.kind) {
    case "box":
      return isInBox(area, point);
    case "circle":
      return distanceKm(area.center, point) <= area.radiusKm;
    case "polygon":
      return isInPolygon(area.corners, point);
  }
}

/** Along the surface (haversine). */
export function distanceKm(a: Point, b: Point): number {
  const halfLat = ((b.lat - a.lat) * RADIANS_PER_DEGREE) / 2;
  const halfLon = ((b.lon - a.lon) * RADIANS_PER_DEGREE) / 2;
  const chord =
    Math.sin(halfLat) ** 2 +
    Math.cos(a.lat * RADIANS_PER_DEGREE) *
      Math.cos(b.lat * RADIANS_PER_DEGREE) *
      Math.sin(halfLon) ** 2;
  // Rounding may take it a little above 1 for points opposite to each other.
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}

function isInBox(box: Extract<Area, { kind: "box" }>, { lat, lon }: Point): boolean {
  if (lat < box.south || lat > box.north) return false;
  if (box.west <= box.east) return lon >= box.west && lon <= box.east;
  return lon >= box.west || lon <= box.east;
}

/**
 * Counts the sides north of the point that its meridian crosses: an odd number means inside. Longitudes are taken
 * relative to the point's, so that the 180th meridian is nothing special near the point.
 */
function isInPolygon(corners: readonly Point[], point: Point): boolean {
  let isInside = false;
  let previous = corners.at(-1)!; // a polygon has corners
  for (const corner of corners) {
    const fromLon = wrapped(previous.lon - point.lon);
    const toLon = nearest(wrapped(corner.lon - point.lon), fromLon);
    if (fromLon > 0 !== toLon > 0) {
      const share = fromLon / (fromLon - toLon);
      const crossingLat = previous.lat + share * (corner.lat - previous.lat);
      if (crossingLat > point.lat) isInside = !isInside;
    }
    previous = corner;
  }
  return isInside;
}

/** The same longitude at most half the Earth away from `other`, so that a side goes the shorter way. */
function nearest(lon: number, other: number): number {
  if (lon - other > 180) return lon - 360;
  return lon - other < -180 ? lon + 360 : lon;
}

/** The same longitude from -180 up to 180. */
function wrapped(lon: number): number {
  if (lon >= 180) return lon - 360;
  return lon < -180 ? lon + 360 : lon;
}
