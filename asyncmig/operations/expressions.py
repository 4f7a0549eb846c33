"""The operators of MongoDB's expressions that give the same value for the same arguments.

Not among them: ``$rand``, ``$sampleRate``, ``$createObjectId``, ``$function`` and ``$accumulator`` (what
JavaScript does is not known), ``$meta``, and all that a newer server may have.

https://www.mongodb.com/docs/manual/reference/mql/expressions/
"""

from __future__ import annotations

from typing import Final

__all__ = ["DETERMINISTIC"]

_ARITHMETIC = (
    "$abs $add $ceil $divide $exp $floor $ln $log $log10 $mod $multiply $pow $round $sqrt $subtract $trunc "
    "$sin $cos $tan $asin $acos $atan $atan2 $asinh $acosh $atanh $sinh $cosh $tanh "
    "$degreesToRadians $radiansToDegrees $bitAnd $bitNot $bitOr $bitXor $sigmoid"
)
_ARRAYS = (
    "$arrayElemAt $arrayToObject $concatArrays $filter $first $firstN $in $indexOfArray $isArray $last $lastN $map "
    "$maxN $minN $objectToArray $range $reduce $reverseArray $size $slice $sortArray $zip"
)
_DATES = (
    "$dateAdd $dateDiff $dateFromParts $dateFromString $dateSubtract $dateToParts $dateToString $dateTrunc "
    "$dayOfMonth $dayOfWeek $dayOfYear $hour $isoDayOfWeek $isoWeek $isoWeekYear $millisecond $minute $month $second "
    "$tsIncrement $tsSecond $week $year"
)
_LOGIC = "$and $cmp $cond $eq $gt $gte $ifNull $let $literal $lt $lte $ne $not $or $switch"
_OBJECTS = "$getField $mergeObjects $setField $unsetField $binarySize $bsonSize"
_SETS = (
    "$allElementsTrue $anyElementTrue $setDifference $setEquals $setIntersection $setIsSubset $setUnion "
    "$avg $max $median $min $percentile $stdDevPop $stdDevSamp $sum"
)
_TEXT = (
    "$concat $indexOfBytes $indexOfCP $ltrim $regexFind $regexFindAll $regexMatch $replaceAll $replaceOne $rtrim "
    "$split $strLenBytes $strLenCP $strcasecmp $substr $substrBytes $substrCP $toLower $toUpper $trim"
)
_TYPES = (
    "$convert $isNumber $toBool $toDate $toDecimal $toDouble $toInt $toLong $toObjectId $toString $toUUID $type "
    "$toHashedIndexKey"
)

DETERMINISTIC: Final = frozenset(
    " ".join((_ARITHMETIC, _ARRAYS, _DATES, _LOGIC, _OBJECTS, _SETS, _TEXT, _TYPES)).split()
)
