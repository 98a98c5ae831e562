import { z } from "zod";
import { headerName, isSound } from "./schema-values.ts";

const lat = z.number().min(-90).max(90).meta({
  live: true,
  unit: "degrees",
  description: "Latitude; north is positive.",
});

const lon = z.number().min(-180).max(180).meta({
  live: true,
  unit: "degrees",
  description: "Longitude; east is positive.",
});

const point = z.strictObject({ lat, lon });

const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/)
  .meta({ range: "a country code of two letters, such as DE" });

const box = z
  .strictObject({ south: lat, north: lat, west: lon, east: lon })
  .refine(({ south, north }) => south <= north, {
    path: ["north"],
    message: 'less than "south", expected that or more',
  });

const circle = z.strictObject({
  lat,
  lon,
  km: z.number().min(0).max(20_038).meta({
    live: true,
    unit: "km",
    description: "Radius, along the surface.",
  }),
});

/** Forms of a place; one of them at least. */
const FORMS = ["country", "box", "circle", "polygon"] as const;

/** `place` of a condition. */
export const place = z
  .strictObject({
    country: z
      .union([country, z.array(country).min(1)])
      .optional()
      .meta({ live: true, description: "The country that `header` names is one of these." }),
    header: headerName
      .default("x-geo-country")
      .meta({ live: true, description: "Header with a country code of two letters." }),
    box: box.optional().meta({
      live: true,
      description:
        "The point is between these sides; where `east` is less than `west`, across the 180th meridian.",
    }),
    circle: circle
      .optional()
      .meta({ live: true, description: "The point is at most so far from this one." }),
    polygon: z.array(point).min(3).max(100).optional().meta({
      live: true,
      range: "a list of 3 to 100 points { lat, lon }",
      description: "The point is inside the polygon with these corners, which has no pole in it.",
    }),
    latHeader: headerName
      .default("x-geo-lat")
      .meta({ live: true, description: "Header with the latitude of the point, in degrees." }),
    lonHeader: headerName
      .default("x-geo-lon")
      .meta({ live: true, description: "Header with the longitude of the point, in degrees." }),
  })
  .refine((written) => FORMS.some((form) => written[form] !== undefined), {
    when: isSound,
    message: `found no place, expected one of ${FORMS.join(", ")}`,
  });

export type WrittenPlace = z.output<typeof place>;
